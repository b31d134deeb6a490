"""What refuses: pages, blocks, snippets and the built site are held to CONTRIBUTING.md here."""
