# SPDX-License-Identifier: Apache-2.0
"""What the servers of our own share: the line before the model, the door, the log, the numbers."""
