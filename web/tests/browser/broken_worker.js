/** Answers as the worker does after a trap. */
onmessage = ({ data: { id } }) => postMessage({ id, error: "unreachable", broken: true });
