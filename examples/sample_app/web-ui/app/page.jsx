import Live from "./live";

export default function Page() {
  return (
    <main>
      <h1>Sample application</h1>
      <Live />
    </main>
  );
}
