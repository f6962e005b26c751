"""What outlives a conversation: snapshots, summaries, recall, facts with evidence."""
