// A preload (`node --import`) for a process under test whose clock is wrong: Date.now is off by NAUTILUS_TEST_CLOCK_SHIFT_MS, timers are right.
const shiftMs = Number(process.env.NAUTILUS_TEST_CLOCK_SHIFT_MS);
const now = Date.now;
Date.now = () => now() + shiftMs;
