local base = require("base")
local M = {}

-- Computes the area.
function M.area(shape, scale)
  return helper(shape, scale)
end

function M:name()
  return self.label
end

local function helper(shape, scale)
  return base.max(shape, scale)
end

M.twice = function(shape)
  return 2 * M.area(shape, 1)
end

return M
