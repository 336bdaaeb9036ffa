"""The emulator's process without its gate, to see that the hostile page would get in."""

from local import engine

if __name__ == "__main__":
    engine.gated = lambda emulator, gate: emulator  # noqa: ARG005
    engine.main()
