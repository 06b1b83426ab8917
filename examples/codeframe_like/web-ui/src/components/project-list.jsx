"use client";

import { useEffect, useState } from "react";
import { createProject, listProjects } from "@/lib/api";

export default function ProjectList() {
  const [projects, setProjects] = useState([]);
  const [problem, setProblem] = useState("");
  const load = () => listProjects().then((answer) => setProjects(answer.projects), (error) => setProblem(error.message));

  useEffect(() => {
    load();
  }, []);

  const create = async (event) => {
    event.preventDefault();
    await createProject(new FormData(event.currentTarget).get("name")).catch((error) => setProblem(error.message));
    await load();
  };

  return (
    <>
      <h1>Projects</h1>
      <form onSubmit={create}>
        <input name="name" required placeholder="Name" /> <button type="submit">Create</button>
      </form>
      {problem && <p role="alert">{problem}</p>}
      <ul>
        {projects.map((project) => (
          <li key={project.id}>
            <a href={`/projects/${project.id}`}>{project.name}</a>
          </li>
        ))}
      </ul>
    </>
  );
}
