"""What a run is on disk: its events, its journal, its folder, and the state that they fold into."""
