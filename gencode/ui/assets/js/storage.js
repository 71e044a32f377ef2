// What the browser keeps: for the tab (session) or for longer (local). With storage off, until reload.

function keeper(open) {
  const instead = new Map();
  return {
    get(name) {
      try {
        return open().getItem(`gencode.${name}`);
      } catch {
        return instead.get(name) ?? null;
      }
    },
    set(name, value) {
      try {
        if (value == null) open().removeItem(`gencode.${name}`);
        else open().setItem(`gencode.${name}`, value);
      } catch {
        instead.set(name, value);
      }
    },
  };
}

export const forTab = keeper(() => sessionStorage);
export const forLong = keeper(() => localStorage);
