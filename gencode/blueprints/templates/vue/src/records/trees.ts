/** Records as a tree. */

import { type Entity, type RecordBase, titleOf, valueOf } from "@/records/types";

export interface TreeNode {
  id: number;
  label: string;
  record: RecordBase;
  children: TreeNode[];
}

/** Roots are records without a parent, and one of each circle; every record is there once. */
export function nodesOf(entity: Entity, records: readonly RecordBase[], parent: string): TreeNode[] {
  const nodes = new Map<number, TreeNode>();
  for (const record of records) {
    nodes.set(record.id, { id: record.id, label: titleOf(entity, record), record, children: [] });
  }
  const above = (node: TreeNode): TreeNode | undefined =>
    parent === "" ? undefined : nodes.get(Number(valueOf(node.record, parent)));
  const placed = new Set<TreeNode>();
  const roots: TreeNode[] = [];
  for (const node of nodes.values()) {
    place(node, above, placed, roots);
  }
  return roots;
}

/** Places a node and what is above it; a node that is above itself is a root. */
function place(
  start: TreeNode,
  above: (node: TreeNode) => TreeNode | undefined,
  placed: Set<TreeNode>,
  roots: TreeNode[],
): void {
  const way = new Set<TreeNode>();
  for (let node: TreeNode | undefined = start; node !== undefined && !placed.has(node); node = above(node)) {
    if (way.has(node)) {
      break;
    }
    way.add(node);
  }
  for (const node of [...way].reverse()) {
    const parent = above(node);
    (parent !== undefined && placed.has(parent) ? parent.children : roots).push(node);
    placed.add(node);
  }
}
