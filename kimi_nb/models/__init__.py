"""One model call: endpoints, the simulator, recorded answers."""
