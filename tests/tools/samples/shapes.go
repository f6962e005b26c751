package shapes

import (
	"fmt"
	str "strings"
)

const (
	Red, Green = 1, 2
	blue       = 3
)

var Default = Shape{}

// Shape is a closed figure.
type Shape struct {
	Name string
	w, h int
	Base
}

type Area interface {
	Area(scale float64) float64
	Base
}

type (
	Alias = Shape
	Func  func(int) error
)

// Area computes it.
func (s *Shape) Area(scale float64) float64 {
	helper := func() { fmt.Println(s.Name) }
	helper()
	return float64(s.w)
}

func newShape[T any](name string) (*Shape, error) {
	return &Shape{Name: str.ToLower(name)}, nil
}
