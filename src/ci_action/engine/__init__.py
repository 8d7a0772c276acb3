"""How a run goes: what stages and tools are, how tools are run, judged and explained. Nothing here knows a stage."""
