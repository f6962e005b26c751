const std = @import("std");

/// A closed figure.
pub const Shape = struct {
    name: []const u8,
    width: u32 = 1,

    /// Computes it.
    pub fn area(self: Shape, scale: f64) f64 {
        return helper(scale) + self.unit();
    }

    fn secret() void {}
};

const Kind = enum { round, flat };
pub const Value = union(enum) { int: i32, float: f64 };

fn helper(scale: f64) f64 {
    return scale;
}

var counter: u32 = 0;

test "area" {
    try std.testing.expect(true);
}
