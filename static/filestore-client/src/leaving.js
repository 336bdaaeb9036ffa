let underWay = 0;

/**
 * While something is under way, the browser asks before the page is left.
 *
 * @returns {() => void} to be called when it is done
 */
export function stayUntil() {
  underWay += 1;
  if (underWay === 1) addEventListener('beforeunload', ask);
  return () => {
    underWay -= 1;
    if (underWay === 0) removeEventListener('beforeunload', ask);
  };
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}
