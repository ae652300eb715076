"""What happens at other ends and starts than an agent's: a folder for each kind of subject.

A lifecycle knows when which event is due, and what its subject is. It fires them through what its
door hands it (`stophooks.occasion.Fire`), and knows neither the configuration nor the engine.
"""
