// Conversations: their list, and one of them with its messages. An answer streams as its task's events, so a
// reload or a second tab shows the same text.

import { Problem, get, post, request, unique } from "../api.js";
import { announce, fill, h, icon } from "../dom.js";
import { MOST_MARKDOWN, markdown } from "../markdown.js";
import { forTab } from "../storage.js";
import { Stream } from "../stream.js";
import { ago, money, number, t } from "../words.js";
import { conversationSettings } from "./conversation_settings.js";
import { heading, said, sure } from "./resource.js";
import { sourceAddress } from "./source.js";

const CONVERSATIONS = "chat/conversations";
const PAGE = 100;

export const chatView = (box, id) => (id ? conversation(box, id) : conversations(box));

async function conversations(box) {
  const add = h("button", { class: "button primary", onclick: begin }, icon("plus"), t("newConversation"));
  const rows = h("ul", { class: "cards" });
  const words = h("p", { class: "note" }, t("loading"));
  fill(box, heading(t("chat"), add), h("p", { class: "lead" }, t("chatLead")), rows, words);
  try {
    const { items } = await get(`${CONVERSATIONS}?limit=${PAGE}`);
    rows.append(...items.map(row));
    words.hidden = items.length > 0;
    words.textContent = t("noRows");
  } catch (error) {
    words.textContent = said(error);
  }

  async function begin() {
    try {
      const { id } = await post(CONVERSATIONS, {});
      location.hash = `#/workspace/chat/${id}`;
    } catch (error) {
      words.hidden = false;
      words.textContent = said(error);
    }
  }
}

function row(one) {
  const figures = t("conversationFigures", number(one.message_count), number(one.total_tokens));
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: `#/workspace/chat/${one.id}` }, one.title || t("untitled"))),
    h("p", { class: "note" }, `${figures} · ${ago(one.last_message_at || one.created_at, Date.now())}`),
  );
}

async function conversation(box, id) {
  const path = `${CONVERSATIONS}/${encodeURIComponent(id)}`;
  const messages = h("ol", { class: "messages" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const field = h("textarea", { id: "message", rows: 3, required: true, "aria-keyshortcuts": "Control+Enter" });
  const sendButton = h("button", { class: "button primary" }, t("send"));
  const stopButton = h("button", { type: "button", class: "button danger", hidden: true }, icon("stop"), t("stop"));
  const form = h(
    "form",
    { class: "composer", onsubmit: (event) => (event.preventDefault(), send()) },
    h("label", { for: "message" }, t("yourMessage")),
    field,
    h("div", { class: "send" }, h("div", { class: "buttons" }, sendButton, stopButton), trouble),
  );
  let stream = null;
  let sent = null; // {text, key}: so that sending again after a lost connection is no second message
  let row;
  try {
    row = await get(path);
  } catch (error) {
    return fill(box, heading(t("chat")), h("p", { class: "note" }, said(error)));
  }
  const title = h("h1", {});
  const options = h("div", {});
  const back = h("a", { class: "button quiet", href: "#/workspace/chat" }, t("chat"));
  const away = h("button", { class: "button quiet", onclick: remove }, icon("bin"), t("remove"));
  fill(box, h("div", { class: "head-line" }, title, h("span", { class: "spring" }), back, away), options, messages, form);
  settle(row);
  const draft = `message.${id}`; // what is typed and not sent: a reload does not lose it
  field.value = forTab.get(draft) || "";
  field.addEventListener("input", () => forTab.set(draft, field.value || null));
  field.addEventListener(
    "keydown",
    (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.requestSubmit(),
  );
  box.addEventListener("leave", () => stream?.close());
  await reload();
  field.focus({ preventScroll: true });

  /** Shows its title and its settings, which stay as they are while somebody is in them. */
  function settle(found) {
    row = found;
    title.textContent = row.title || t("untitled");
    if (!options.contains(document.activeElement)) fill(options, conversationSettings(path, row, changed));
  }

  function changed(found) {
    field.focus();
    settle(found);
  }

  async function reload() {
    const shown = [];
    for (let cursor = ""; cursor !== null; ) {
      const page = await get(`${path}/messages?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      shown.push(...page.items);
      cursor = page.next_cursor;
    }
    fill(messages, ...shown.map((message) => item(message, { again, choose })));
    const last = shown.at(-1);
    if (last?.status === "streaming") follow(last);
    messages.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  function follow(message) {
    stream?.close();
    const text = messages.querySelector(`[data-id="${CSS.escape(message.id)}"] .text`);
    let content = message.content;
    let round = 0;
    let isOver = false;
    const put = (data) => {
      if (data.round < round) return;
      if (data.round > round) content = data.round === 1 || round ? content : "";
      round = data.round;
      content = content.slice(0, data.offset) + data.text;
      text.textContent = content;
    };
    writing(true, message.task_id);
    stream = new Stream(message.task_id, 0, {
      onEvent(kind, data) {
        if (kind === "text" || (kind === "delta" && data.about === "answer")) put(data);
        if (kind === "status" && ["completed", "failed", "cancelled"].includes(data.status)) {
          isOver = true;
          end();
        }
      },
      isComplete: () => isOver,
      onConnection: (isConnected, error) => error && end(),
    });
    stream.open();
  }

  async function end() {
    stream?.close();
    writing(false);
    await reload();
    settle(await get(path));
    announce(t("answerIsThere"));
  }

  function writing(isWriting, taskId) {
    stopButton.hidden = !isWriting;
    sendButton.disabled = isWriting;
    stopButton.onclick = () => post(`task/${taskId}/cancel`).catch(refuse);
  }

  async function send() {
    const content = field.value;
    if (!content.trim()) return field.focus();
    if (sent?.text !== content) sent = { text: content, key: unique() };
    await submit(() => post(`${path}/messages`, { content }, { "Idempotency-Key": sent.key }), () => {
      field.value = "";
      forTab.set(draft, null);
      sent = null;
    });
  }

  function again(message) {
    return submit(() => post(`${path}/messages/${message.id}/regenerate`, {}));
  }

  function choose(id) {
    return submit(() => request(`${path}/messages/${id}/select`, { method: "POST" }));
  }

  async function submit(ask, done = () => {}) {
    trouble.replaceChildren();
    sendButton.disabled = true;
    try {
      await ask();
      done();
      await reload();
    } catch (error) {
      refuse(error);
    } finally {
      sendButton.disabled = !stopButton.hidden;
    }
  }

  function refuse(error) {
    const code = error instanceof Problem && h("code", {}, error.code);
    trouble.replaceChildren(h("p", {}, ...[code, " ", said(error)].filter(Boolean)));
  }

  async function remove() {
    if (!(await sure(t("removeSure", title.textContent), t("removeYes")))) return;
    try {
      await request(path, { method: "DELETE" });
      location.hash = "#/workspace/chat";
    } catch (error) {
      refuse(error);
    }
  }
}

function item(message, { again, choose }) {
  const isAnswer = message.role === "assistant";
  return h(
    "li",
    { class: `turn ${message.role}`, "data-id": message.id },
    h("h2", { class: "speaker" }, t("speakers")[message.role]),
    isAnswer && message.status !== "streaming"
      ? h("div", { class: "document text" }, ...contentOf(message.content))
      : h("div", { class: "text" }, message.content),
    message.failure && h("p", { class: "wrong" }, h("code", {}, message.failure.code), " ", message.failure.message),
    message.citations.length > 0 && citations(message.citations),
    isAnswer && footer(message, again, choose),
  );
}

/** Answers are written in Markdown. */
const contentOf = (text) => (text.length > MOST_MARKDOWN ? [text] : markdown(text));

function footer(message, again, choose) {
  const notes = [
    message.status !== "complete" && t("messageStates")[message.status],
    message.is_truncated && t("answerCut"),
    message.context?.left_out > 0 && t("leftOutMessages", number(message.context.left_out)),
    message.usage && t("messageTokens", number(message.tokens)) + (message.usage.is_estimated ? t("estimated") : ""),
    message.usage?.cost && t("messageCost", money(message.usage.cost)),
  ].filter(Boolean);
  const at = message.siblings.indexOf(message.id);
  const turn = (by, label) =>
    h(
      "button",
      { type: "button", class: "button quiet", disabled: !message.siblings[at + by], onclick: () => choose(message.siblings[at + by]) },
      t(label),
    );
  return h(
    "div",
    { class: "turn-foot" },
    h("span", { class: "note" }, notes.join(" · ")),
    message.siblings.length > 1 && turn(-1, "earlierAnswer"),
    message.siblings.length > 1 && turn(1, "laterAnswer"),
    message.status !== "streaming" &&
      h("button", { type: "button", class: "button quiet", onclick: () => again(message) }, icon("again"), t("answerAgain")),
  );
}

const citations = (found) => h("ul", { class: "citations", "aria-label": t("sources") }, ...found.map(citation));

/** It opens the document at the quoted place. A base that was deleted has none. */
function citation(one) {
  const name = `[${one.number}] ${one.document_name || t("sourceGone")}${one.page ? t("onPage", one.page) : ""}`;
  const isThere = one.knowledge_base_id && one.document_id;
  return h(
    "li",
    {},
    isThere ? h("a", { href: sourceAddress(one) }, name) : name,
    ": ",
    h("q", {}, one.quote),
    !one.is_verified && h("span", { class: "row-note" }, ` ${t("notVerified")}`),
  );
}
