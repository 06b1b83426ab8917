const WS_URL = process.env.NEXT_PUBLIC_WS_URL || "ws://localhost:8080/ws";
const PAUSE_MS = 3000;

class Client {
  socket = null;
  timer = null;
  handlers = new Set();

  connect() {
    if (this.socket?.readyState === WebSocket.OPEN) return;
    this.socket = new WebSocket(WS_URL);
    this.socket.onopen = () => console.log("WebSocket connected");
    this.socket.onmessage = (event) => this.handlers.forEach((handler) => handler(JSON.parse(event.data)));
    this.socket.onerror = (error) => console.error("WebSocket error:", error);
    this.socket.onclose = () => {
      console.log("WebSocket disconnected, reconnecting...");
      this.timer = setTimeout(() => this.connect(), PAUSE_MS);
    };
  }

  disconnect() {
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    this.socket = null;
    clearTimeout(this.timer);
  }

  // The page calls this at once after connect(): before the socket is open, nothing is sent.
  subscribe(projectId) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ type: "subscribe", project_id: projectId }));
  }

  onMessage(handler) {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }
}

let client = null;

export function webSocketClient() {
  client = client || new Client();
  return client;
}
