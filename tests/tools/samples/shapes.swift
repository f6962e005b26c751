import Foundation

/// A closed figure.
@objc public class Shape<T>: Base, Area {
    public var name: String = "x"
    private let width: Int

    init(name: String) {
        self.width = 1
    }

    /// Computes it.
    public func area(_ scale: Double, at point: Point) -> Double {
        return helper(scale) + point.length()
    }

    private func secret() {}
    deinit {}
    subscript(index: Int) -> Int { return 1 }
}

struct Point {
    let x: Int
}

enum Kind {
    case round, flat(Int)
}

protocol Area {
    func area(_ scale: Double) -> Double
    var unit: Double { get }
}

extension Shape {
    func extra() {}
}

typealias Box = Shape<Int>
let answer = 42
