import fs, { join as j } from "node:fs";
const util = require("util");

/** Greets. */
export default class Greeter extends Base {
  static count = 0;
  #secret = 1;
  handler = (event) => { this.greet(event); };

  /**
   * Says hello.
   * @param {string} name
   */
  greet(name) {
    const local = () => join(name);
    return local();
  }

  get #hidden() { return 1; }
}

export const add = (a, b) => a + b;
const first = 1, second = 2;

export function* walk(tree) {
  yield* tree;
}

async function inner() {
  await helper();
}

exports.run = function (argv) {
  return main(argv);
};

const api = {
  start: () => listen(),
  stop() { close(); },
};
