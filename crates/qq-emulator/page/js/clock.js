// The emulator's time: what everything on the page is dated with.

import { on } from "./bus.js";

let offset = null; // the emulator's time less this machine's
let skipped = 0;

export const now = () => new Date(Date.now() + (offset ?? 0));
export const advanced = () => skipped;

on("clock", (clock) => {
  offset = new Date(clock.now) - Date.now();
  skipped = clock.advanced_ms;
});
