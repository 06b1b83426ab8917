"use client";

import { useCallback, useEffect, useRef, useState } from "react";

// Next.js replaces these two at build time; the text after || is what a build without them contains.
const WS_URL = process.env.NEXT_PUBLIC_WS_URL || "ws://localhost:14200/ws";
const API_URL = process.env.NEXT_PUBLIC_API_URL || "http://localhost:14200";

const FAILURES_BEFORE_FALLBACK = 2;
const LONGEST_PAUSE_MS = 15000;
const MESSAGES_SHOWN = 50;

const LABELS = {
  connecting: "Connecting …",
  websocket: "WebSocket connected",
  sse: "Fallback: Server-Sent Events, no WebSocket",
  disconnected: "Not connected",
};
const COLOURS = { connecting: "#666", websocket: "#0a7d2c", sse: "#b36b00", disconnected: "#b00020" };

export default function Live() {
  const [state, setState] = useState("connecting");
  const [messages, setMessages] = useState([]);
  const socketRef = useRef(null);
  const nextId = useRef(0);

  const show = useCallback((way, text) => {
    const entry = { id: nextId.current++, at: new Date().toLocaleTimeString(), way, text };
    setMessages((before) => [entry, ...before].slice(0, MESSAGES_SHOWN));
  }, []);

  const ping = useCallback(() => {
    const text = JSON.stringify({ type: "ping" });
    socketRef.current?.send(text);
    show("sent", text);
  }, [show]);

  useEffect(() => {
    let failures = 0;
    let timer = null;
    let events = null;
    let over = false;

    const stopFallback = () => {
      events?.close();
      events = null;
    };

    const startFallback = () => {
      if (events) return;
      console.warn("WebSocket not available, falling back to Server-Sent Events");
      events = new EventSource(`${API_URL}/api/events`);
      events.onopen = () => setState("sse");
      events.onerror = () => setState("disconnected");
      events.onmessage = (event) => show("event", event.data);
    };

    const connect = () => {
      const socket = new WebSocket(WS_URL);
      socketRef.current = socket;
      socket.onopen = () => {
        console.log("WebSocket connected");
        failures = 0;
        stopFallback();
        setState("websocket");
        ping();
      };
      socket.onmessage = (event) => show("received", String(event.data));
      socket.onclose = (event) => {
        if (over) return;
        console.log(`WebSocket closed (${event.code})`);
        failures += 1;
        if (!events) setState("disconnected");
        if (failures >= FAILURES_BEFORE_FALLBACK) startFallback();
        timer = setTimeout(connect, Math.min(500 * 2 ** failures, LONGEST_PAUSE_MS));
      };
    };

    connect();
    return () => {
      over = true;
      clearTimeout(timer);
      stopFallback();
      socketRef.current?.close();
    };
  }, [ping, show]);

  return (
    <>
      <p id="status" role="status" data-state={state} style={{ color: COLOURS[state], fontWeight: 600 }}>
        {LABELS[state]}
      </p>
      <p>
        <code id="ws-url">{WS_URL}</code>
      </p>
      <button id="ping" type="button" disabled={state !== "websocket"} onClick={ping}>
        Send a ping
      </button>
      <h2>Messages</h2>
      <ol id="messages" style={{ listStyle: "none", padding: 0 }}>
        {messages.map((message) => (
          <li key={message.id}>
            {message.at} {message.way}: <code>{message.text}</code>
          </li>
        ))}
      </ol>
    </>
  );
}
