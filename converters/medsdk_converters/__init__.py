"""From labelled pictures to a checked plugin bundle for medsdk."""
