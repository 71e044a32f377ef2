"""Commands from Slack and Mattermost."""
