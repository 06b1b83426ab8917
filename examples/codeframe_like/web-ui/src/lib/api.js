const API_URL = process.env.NEXT_PUBLIC_API_URL || "http://localhost:8080";

async function answerOf(path, options) {
  const response = await fetch(API_URL + path, options);
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}

export const listProjects = () => answerOf("/api/projects");

export const projectStatus = (id) => answerOf(`/api/projects/${id}/status`);

export const createProject = (name) =>
  answerOf("/api/projects", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ project_name: name }),
  });
