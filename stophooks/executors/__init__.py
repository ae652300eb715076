"""Where commands run: one peer per place, all behind `base.Executor`."""
