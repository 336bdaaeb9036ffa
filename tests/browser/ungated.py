"""The emulator's process without its gate, to see that the hostile page would get in."""

from local import emulator_process

if __name__ == "__main__":
    emulator_process.gated = lambda emulator, gate: emulator  # noqa: ARG005
    emulator_process.main()
