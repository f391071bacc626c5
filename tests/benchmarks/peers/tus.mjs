// @tus/server over its file store. Arguments: folder, port.
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

const [folder, port] = process.argv.slice(2)
const server = new Server({ path: '/files', datastore: new FileStore({ directory: folder }), respectForwardedHeaders: false })
server.listen({ host: '127.0.0.1', port: Number(port) })
