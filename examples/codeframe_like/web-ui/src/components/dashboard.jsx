"use client";

import { useEffect, useState } from "react";
import { projectStatus } from "@/lib/api";
import { webSocketClient } from "@/lib/websocket";

export default function Dashboard({ projectId }) {
  const [name, setName] = useState("");
  const [messages, setMessages] = useState([]);

  useEffect(() => {
    projectStatus(projectId).then((project) => setName(project.name), () => setName("unknown project"));
    const client = webSocketClient();
    client.connect();
    client.subscribe(projectId);
    const unsubscribe = client.onMessage((message) => setMessages((before) => [message, ...before].slice(0, 20)));
    return () => {
      unsubscribe();
      client.disconnect();
    };
  }, [projectId]);

  return (
    <main>
      <h1>{name}</h1>
      <ol>
        {messages.map((message, index) => (
          <li key={messages.length - index}>{JSON.stringify(message)}</li>
        ))}
      </ol>
    </main>
  );
}
