require "set"
require_relative "base"

# Figures.
module Shapes
  LIMIT = 10

  # A closed figure.
  class Shape < Base
    attr_reader :name, :width

    def initialize(name, width: 1)
      @name = name
    end

    def self.load(path)
      read(path).first
    end

    def area = helper(1)

    private

    def secret
      1
    end
  end
end
