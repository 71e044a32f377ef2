"""Commands that users enter in Slack and Mattermost."""
