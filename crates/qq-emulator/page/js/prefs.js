// What the browser remembers. Private windows may refuse; the page then forgets, and works.

export function saved(key) {
  try {
    return localStorage.getItem(`qq-emulator.${key}`);
  } catch {
    return null;
  }
}

export function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(`qq-emulator.${key}`);
    else localStorage.setItem(`qq-emulator.${key}`, value);
  } catch {
    // Forgotten on reload.
  }
}
