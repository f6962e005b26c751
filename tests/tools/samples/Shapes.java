package org.example.shapes;

import java.util.List;
import static java.lang.Math.max;

/**
 * A closed figure.
 */
@Entity
public class Shapes<T extends Base> extends Parent implements Area, Cloneable {
    public static final int LIMIT = 10;
    private int width, height;

    public Shapes(int width) {
        this.width = width;
    }

    /** Computes it. */
    @Override
    public <R> List<R> area(final double scale, R seed) throws Failure {
        return helper(max(1, 2));
    }

    enum Kind { ROUND, FLAT(2); private int n; }

    interface Area {
        double area();
        int UNIT = 1;
    }

    record Point(int x, int y) {
        Point { check(x); }
    }

    @interface Marker { String value() default ""; }
}
