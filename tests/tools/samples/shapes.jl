module Shapes

using LinearAlgebra
import Base: show

export Shape, area

const LIMIT = 10

"""
    Shape

A closed figure.
"""
struct Shape{T}
    name::String
    width::T
end

abstract type Figure end

# Computes it.
function area(shape::Shape, scale::Float64)::Float64
    inner(x) = helper(x)
    return inner(scale)
end

twice(x) = 2x

macro square(x)
    return :($x * $x)
end

end
