import ProjectList from "@/components/project-list";

export default function Home() {
  return (
    <main>
      <ProjectList />
    </main>
  );
}
