import type { A } from "./a";
export { b as c } from "./b";

/** What has an area. */
export interface Shape<T> extends Base {
  readonly name: string;
  area(scale: number): number;
}

export type Id = string | number;

export enum Color {
  Red,
  Green = "green",
}

@Component({ selector: "x" })
export class Box<T> implements Shape<T> {
  @Input() public width: number = 1;
  private readonly store: Map<string, T> = new Map();

  constructor(private readonly depth: number, name: string) {
    super(name);
  }

  @HostListener("click")
  area(scale: number): number {
    return this.width * scale;
  }

  private secret(): void {}
}

abstract class Hidden {
  abstract run(): void;
}

export namespace Geometry.Flat {
  export function unit(): Box<number> { return new Box(1, "u"); }
}

declare module "outside" {
  function call(name: string): void;
}

export const make = async <T,>(value: T): Promise<T> => value;
function overload(a: string): void;
function overload(a: unknown): void {}
