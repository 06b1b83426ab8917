export const metadata = { title: "CodeFRAME (stand-in)" };

export default function RootLayout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
