package org.example

import scala.collection.mutable

/** A closed figure. */
case class Shape[T](name: String, width: Int) extends Base(name) with Area {
  val label: String = "x"

  override def area(scale: Double): Double = {
    def inner(x: Int) = x
    helper(inner(1))
  }

  private def secret: Int = 1
  type Out = Int
}

object Shape {
  var count = 0
}

trait Area {
  def area(scale: Double): Double
}

enum Color {
  case Red, Green
}

given order: Ordering[Int] = Ordering.Int
