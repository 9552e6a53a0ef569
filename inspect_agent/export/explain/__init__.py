"""A configuration in plain words, with its defaults filled in: what `inspectctl explain` prints.

Pure: values of the model become lines of text. No secret is among them: of a destination only the
channel and the addresses of mail are told, of a parameter only what cannot carry a secret.

    page      a file, or the statement at a line of it
    checks    a check and its parameters     rules    one rule       actions   what it does
    repairs   how a service is repaired      general  what holds for every rule
    settings  inspect.conf                   routes   who is alerted
    whole     what all of these look things up in               layout    lines of text
"""
