// OpenCode asks stophooks whether a session may stop, and sends it back to work where it may not.
//
// OpenCode runs no commands at a stop and cannot be kept from one. So this asks when a session
// becomes idle, and sends the reason of a block as the session's next message. It counts and times
// out by itself, and never throws: an error in a plugin ends up in front of the person.
//
// `opencode run` exits at the first idle, before such a message can be sent; `opencode` with its
// interface, and `opencode serve`, go on.

import { spawn } from "node:child_process";

// What a shell runs; `stophooks install opencode` writes where the program is, and the limit.
const COMMAND = "stophooks hook --agent opencode";
// Longer than any deadline of the checks: a hook that was ended has checked nothing. Seconds.
const LIMIT_S = 600;
// As many as other agents obey in a row (stophooks itself gives up after max_blocks, 3 by default).
const MOST_BLOCKS = 8;
// What an ended hook needs to end its checks. Seconds.
const GRACE_S = 5;
const MOST_CHARACTERS = 64 * 1024;

/** What the hook says to one event: `{code, stdout, stderr}`, or `{fault}` where it says nothing. */
function ask(payload, directory) {
  return new Promise((resolve) => {
    const answer = { code: null, stdout: "", stderr: "" };
    let child;
    try {
      // Without `exec` the shell could be ended and the hook go on.
      child = spawn("sh", ["-c", `exec ${COMMAND}`], { cwd: directory });
    } catch (error) {
      resolve({ fault: `stophooks could not be started: ${error.message}` });
      return;
    }
    let kill;
    const end = setTimeout(() => {
      child.kill("SIGTERM");
      kill = setTimeout(() => child.kill("SIGKILL"), GRACE_S * 1000);
      resolve({ fault: `stophooks gave no answer within ${LIMIT_S} s` });
    }, LIMIT_S * 1000);
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        answer[name] = (answer[name] + text).slice(0, MOST_CHARACTERS);
      });
    }
    // A hook that needs no payload may be gone before it is written.
    child.stdin.on("error", () => {});
    child.on("error", (error) => {
      clearTimeout(end);
      resolve({ fault: `stophooks could not be started: ${error.message}` });
    });
    child.on("close", (code) => {
      clearTimeout(end);
      clearTimeout(kill);
      resolve({ ...answer, code });
    });
    child.stdin.end(JSON.stringify(payload));
  });
}

/** The same answer, understood: `{reason}`, `{note}`, `{fault}` or, for leave to stop, `{}`. */
function understood(answer) {
  if (answer.fault) return answer;
  let said = {};
  try {
    said = JSON.parse(answer.stdout) ?? {};
  } catch {
    // Leave to stop is silent, and a fault has its own words on stderr.
  }
  if (said.decision === "block" && said.reason) return { reason: said.reason };
  if (answer.code === 2 && answer.stderr.trim()) return { reason: answer.stderr.trim() };
  if (answer.code === 0) return said.systemMessage ? { note: said.systemMessage } : {};
  const words = answer.stderr.trim().split("\n").pop();
  return { fault: `stophooks ended with exit code ${answer.code}${words ? `: ${words}` : ""}` };
}

export const Stophooks = async ({ client, directory }) => {
  // By session: how often it was sent back in a row, and what it was told once.
  const blocks = new Map();
  const told = new Set();
  const failed = new Set();
  const asking = new Set();

  const show = async (message, variant) => {
    const parts = [
      () => client.tui.showToast({ body: { title: "stophooks", message, variant } }),
      () => client.app.log({ body: { service: "stophooks", level: "warn", message } }),
    ];
    for (const part of parts) {
      try {
        await part();
      } catch {
        // Without an interface there is nobody to show it to; the log then has it.
      }
    }
  };

  const send = async (id, text) => {
    try {
      const result = await client.session.promptAsync({
        path: { id },
        body: { parts: [{ type: "text", text }] },
      });
      if (result?.error) throw new Error(JSON.stringify(result.error));
    } catch (error) {
      await show(`Checks did not pass, and the session could not be told: ${error.message}`, "error");
    }
  };

  const isHelper = async (id) => {
    try {
      return Boolean((await client.session.get({ path: { id } }))?.data?.parentID);
    } catch {
      return false;
    }
  };

  const idle = async (id) => {
    // The person has interrupted the turn, or the model could not be reached: nothing is done.
    if (failed.delete(id) || (await isHelper(id))) return;
    const payload = { hook_event_name: "session.idle", session_id: id, cwd: directory };
    const { reason, note, fault } = understood(await ask(payload, directory));
    if (fault) {
      const message = `Nothing was checked: ${fault}.`;
      await show(message, "error");
      if (!told.has(id)) await send(id, `${message} Tell the person.`);
      told.add(id);
      return;
    }
    const count = reason ? (blocks.get(id) ?? 0) + 1 : 0;
    blocks.set(id, count);
    if (note) await show(note, "warning");
    if (count > MOST_BLOCKS) {
      await show(`Checks did not pass ${count} times in a row; the session is let go.`, "error");
    } else if (reason) {
      await send(id, reason);
    }
  };

  const once = async (id, action) => {
    if (asking.has(id)) return;
    asking.add(id);
    try {
      await action();
    } finally {
      asking.delete(id);
    }
  };

  return {
    event: async ({ event }) => {
      try {
        const { sessionID, info } = event.properties ?? {};
        if (event.type === "session.error" && sessionID) failed.add(sessionID);
        if (event.type === "session.idle" && sessionID) await once(sessionID, () => idle(sessionID));
        if (["session.created", "session.deleted"].includes(event.type) && info && !info.parentID) {
          await ask(
            { hook_event_name: event.type, session_id: info.id, cwd: directory },
            directory,
          );
        }
      } catch (error) {
        await show(`Nothing was checked: ${error.message}.`, "error");
      }
    },
  };
};
