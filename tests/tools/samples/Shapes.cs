using System;
using System.Collections.Generic;

namespace Example.Shapes
{
    /// <summary>A closed figure.</summary>
    [Serializable]
    public class Shape<T> : Base, IArea where T : class
    {
        private int width, height;
        public string Name { get; set; } = "";
        public event EventHandler Changed;

        public Shape(string name) : base(name) { }

        [Obsolete]
        public async Task<int> Area(double scale)
        {
            int Local(int x) { return x; }
            return Helper(Local(1));
        }

        public int this[int index] => 1;
        public static Shape<T> operator +(Shape<T> a, Shape<T> b) => a;
        void Hidden() => Console.WriteLine();
    }

    public enum Color { Red, Green }
    interface IArea { double Area(double scale); }
    public record Point(int X, int Y);
    public struct Size { public int W; }
    public delegate void Handler(int x);
}
