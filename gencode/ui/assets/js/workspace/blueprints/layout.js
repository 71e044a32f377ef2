// Where the boxes of a diagram stand: in columns, each box right of those that it refers to. The same boxes and
// links give the same places.

const GAP_X = 110;
const GAP_Y = 28;
const SWEEPS = 6;

/**
 * @param boxes  [{id, height}], all `width` wide
 * @param links  [{from, to}], by ids
 * @returns      {places: Map of id -> {x, y, column}, width, height}
 */
export function layered(boxes, links, width) {
  const ids = boxes.map(({ id }) => id);
  const [targets, sources] = neighbours(ids, links);
  const columns = divided(ids, depths(ids, targets), targets, sources);
  order(columns, targets, sources);
  return placed(columns, new Map(boxes.map((box) => [box.id, box.height])), width);
}

function neighbours(ids, links) {
  const [targets, sources] = [new Map(), new Map()];
  for (const id of ids) targets.set(id, new Set()).get(id) && sources.set(id, new Set());
  for (const { from, to } of links) {
    if (from === to) continue;
    targets.get(from).add(to);
    sources.get(to).add(from);
  }
  return [targets, sources];
}

/** The longest way to a box without targets; a link that closes a circle does not count. */
function depths(ids, targets) {
  const found = new Map();
  const open = new Set();
  for (const start of ids) {
    const stack = [start];
    while (stack.length) {
      const id = stack.at(-1);
      if (found.has(id)) {
        stack.pop();
        continue;
      }
      open.add(id);
      const next = [...targets.get(id)].filter((one) => !found.has(one) && !open.has(one));
      if (next.length) {
        stack.push(...next.reverse());
        continue;
      }
      const known = [...targets.get(id)].filter((one) => found.has(one)).map((one) => found.get(one) + 1);
      found.set(id, Math.max(0, ...known));
      open.delete(id);
      stack.pop();
    }
  }
  return found;
}

/** The boxes by their depth; those without links come last. A column that would be too high is several. */
function divided(ids, depth, targets, sources) {
  const most = Math.max(4, Math.ceil(Math.sqrt(ids.length) * 1.2));
  const linked = ids.filter((id) => targets.get(id).size || sources.get(id).size);
  const alone = ids.filter((id) => !targets.get(id).size && !sources.get(id).size);
  const layers = [];
  for (const id of linked) (layers[depth.get(id)] ??= []).push(id);
  return [...layers.filter(Boolean), alone].flatMap((layer) => {
    const count = Math.ceil(layer.length / most);
    const size = Math.ceil(layer.length / count);
    return Array.from({ length: count }, (_, at) => layer.slice(at * size, (at + 1) * size));
  });
}

/** Puts each box near the middle of those that it is linked with, from left to right and back. */
function order(columns, targets, sources) {
  const at = new Map();
  const note = (column) => column.forEach((id, index) => at.set(id, index / column.length));
  columns.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForward = sweep % 2 === 0;
    for (const column of isForward ? columns : columns.toReversed()) {
      const middle = new Map(column.map((id) => [id, mean([...targets.get(id), ...sources.get(id)], at) ?? at.get(id)]));
      column.sort((one, other) => middle.get(one) - middle.get(other) || at.get(one) - at.get(other));
      note(column);
    }
  }
}

function mean(ids, at) {
  return ids.length ? ids.reduce((sum, id) => sum + at.get(id), 0) / ids.length : null;
}

function placed(columns, heights, width) {
  const sums = columns.map((column) => column.reduce((sum, id) => sum + heights.get(id) + GAP_Y, -GAP_Y));
  const highest = Math.max(0, ...sums);
  const places = new Map();
  columns.forEach((column, index) => {
    let y = (highest - sums[index]) / 2;
    for (const id of column) {
      places.set(id, { x: index * (width + GAP_X), y, column: index });
      y += heights.get(id) + GAP_Y;
    }
  });
  return { places, width: Math.max(width, columns.length * (width + GAP_X) - GAP_X), height: highest };
}
