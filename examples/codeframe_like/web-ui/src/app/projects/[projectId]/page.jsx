import Dashboard from "@/components/dashboard";

export default function ProjectPage({ params }) {
  const projectId = parseInt(params.projectId, 10);
  if (Number.isNaN(projectId)) {
    return (
      <main>
        <h1>Invalid project ID</h1>
        <a href="/">Back to the projects</a>
      </main>
    );
  }
  return <Dashboard projectId={projectId} />;
}
