"""Text as a list of tokens, which names itself simulated and depends on prompt and seed."""

from local.simulation.draw.recipe import Recipe

# fmt: off
NOUNS = (
    "river", "lantern", "orchard", "signal", "harbor", "meadow", "engine", "morning", "paper", "window",
    "garden", "thread", "winter", "compass", "island", "timber", "echo", "market", "ladder", "bridge",
)
ADJECTIVES = ("quiet", "copper", "velvet", "silver", "distant", "gentle", "bright", "careful", "hidden", "early")
VERBS = ("follows", "carries", "answers", "opens", "gathers", "measures", "crosses", "paints", "keeps", "lifts")
# fmt: on
SENTENCES = 4


def write_tokens(recipe: Recipe, *, max_tokens: int) -> list[str]:
    """At most ``max_tokens`` tokens; joined they are the whole text. The first ones say that it is simulated."""
    chance = recipe.randomness("text")
    text = f"[simulated] You asked: {recipe.title[:200]}"
    for _ in range(SENTENCES):
        subject, thing = chance.sample(NOUNS, 2)
        text += f". The {subject} {chance.choice(VERBS)} the {chance.choice(ADJECTIVES)} {thing}"
    words = (text + ".").split(" ")
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)][:max_tokens]
