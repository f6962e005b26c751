class Shape extends Base {
  final int width;

  double area(double scale) {
    return helper(scale);
  }
}

enum Kind { round, flat }
