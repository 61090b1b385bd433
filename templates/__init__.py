"""The Jinja2 templates; `mailroom.render` finds them by this package's folder."""
