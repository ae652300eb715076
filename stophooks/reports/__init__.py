"""What happened, told: to an agent, to a person, to a program. Values in, text out."""
