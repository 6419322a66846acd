// A little AssemblyScript, for its source map. Built by build.sh.
@external("env", "pause")
declare function pause(value: i32): void;

function twice(value: i32): i32 {
  pause(value);
  return value * 2;
}

export function run(argument: i32): i32 {
  let total = 0;
  for (let index = 0; index < argument; index++) {
    total += twice(index);
  }
  return total;
}
