defmodule Shapes.Shape do
  @moduledoc "A closed figure."
  use GenServer
  alias Shapes.Base

  defstruct [:name, :width]

  @doc "Computes it."
  def area(shape, scale \\ 1) when scale > 0 do
    helper(shape) * Base.unit(scale)
  end

  def name(%{name: name}), do: name

  defp helper(shape), do: shape.width

  defmacro twice(x) do
    quote do: unquote(x) * 2
  end
end
