// Who wants to know what happens: modules listen to topics, and tell each other nothing else.

const listeners = new Map();

export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, []);
  listeners.get(topic).push(listener);
}

export function emit(topic, value) {
  for (const listener of listeners.get(topic) ?? []) listener(value);
}
