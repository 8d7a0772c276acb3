"""The stage `docker`: the image of the project, how it is built, that it starts and answers, and what is in it."""
