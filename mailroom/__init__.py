"""The mailroom: a letter's facts become words, words become MIME, and MIME goes to a relay."""
