<?php
namespace Example\Shapes;

use Other\Base;

const LIMIT = 10;

/**
 * A closed figure.
 */
#[Entity]
abstract class Shape extends Base implements Area
{
    public const UNIT = 1;
    private ?string $name = null;

    public function __construct(private int $width) {}

    /** Computes it. */
    public static function area(float $scale): float
    {
        return self::helper($scale) + strlen("x");
    }

    private function secret(): void {}
}

interface Area {}
trait Sized {}
enum Color: string { case Red = 'r'; }

function helper(int $n): int { return $n; }
