import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Apply } from './Apply';

const root = document.getElementById('root');
if (root) createRoot(root).render(<StrictMode><Apply url={import.meta.env.VITE_API_ROOT_URL} /></StrictMode>);
